// The data set: users with tasks, made by arithmetic alone, so that it is the same on every machine and in both
// databases, and any task can be told without asking a database. Tasks lie in the table as they would in life: in the
// order of their making, those of one user between those of all others.

export const START = Date.UTC(2025, 0, 1);
const SPAN_MS = 280 * 86_400_000;
const MINUTE_MS = 60_000;

const VERBS = [
  'Send',
  'Review',
  'Write',
  'Call about',
  'Prepare',
  'Book',
  'Fix',
  'Plan',
  'Order',
  'Check',
  'Update',
  'Sign',
];
const THINGS = [
  'the invoice',
  'the slides',
  'the contract',
  'train tickets',
  'the release notes',
  'the café bill',
  'the budget',
  'the report',
  'new chairs',
  'the backup',
  'the offer',
  'photos',
  'the login page',
];
const ENDS = [
  'for Ada',
  'before Friday',
  'with the Zürich office',
  'for the team meeting',
  'again',
  'from last quarter',
  'for the new customer',
  'until the end of the month',
  'with Grace and Linus',
  'at the town hall',
  'on staging',
];
const SENTENCES = [
  'Ask for the latest numbers first.',
  'The draft is in the shared folder.',
  'It has to be done before the meeting.',
  'See the notes of last week for details and open questions.',
  'Nobody has answered yet, so call instead of writing.',
  'If it takes longer than an hour, split it.',
  'The old version must not be deleted.',
];
const PRIORITIES = [null, null, 'LOW', 'MEDIUM', 'HIGH'];

// 32 bits that look random, of a task's number; another `salt` gives others. The last steps of MurmurHash3.
function hash(number, salt) {
  let bits = (number + Math.imul(salt, 0x9e3779b9)) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

const pick = (list, number, salt) => list[hash(number, salt) % list.length];
const hex = (number, digits) => number.toString(16).padStart(digits, '0').slice(-digits);

export function title(number) {
  return `${pick(VERBS, number, 1)} ${pick(THINGS, number, 2)} ${pick(ENDS, number, 3)}`;
}

export function description(number) {
  const sentences = [4, 5, 6].slice(0, 1 + (hash(number, 7) % 3));
  return sentences.map((salt) => pick(SENTENCES, number, salt)).join(' ');
}

// `users` with `tasksEach` tasks each; instants are milliseconds since 1970.
export class DataSet {
  constructor(users, tasksEach) {
    Object.assign(this, { users, tasksEach, rows: users.length * tasksEach });
    this.step = SPAN_MS / this.rows;
  }

  // A user's `nth` task; 0 is the oldest.
  task(user, nth) {
    const number = nth * this.users.length + user;
    const createdAt = START + Math.floor(number * this.step);
    const completed = hash(number, 8) % 2 === 1;
    const completedAt = completed ? createdAt + MINUTE_MS + (hash(number, 9) % 259_200_000) : null;
    const isDue = hash(number, 10) % 5 < 3;
    return {
      userId: this.users[user],
      id: this.id(user, nth),
      title: title(number),
      description: hash(number, 11) % 5 < 2 ? description(number) : null,
      completed,
      completedAt,
      priority: pick(PRIORITIES, number, 12),
      dueDate: isDue ? Math.floor(createdAt / MINUTE_MS + (hash(number, 13) % 43_200)) * MINUTE_MS : null,
      createdAt,
      updatedAt: completedAt ?? createdAt,
      version: completed ? 2 : 1,
      // As if all were made first and completed later; numbers may be left out.
      revision: completed ? this.tasksEach + nth + 1 : nth + 1,
      createdRevision: nth + 1,
    };
  }

  // A UUID of version 7, as taskql makes them.
  id(user, nth) {
    const number = nth * this.users.length + user;
    const time = hex(START + Math.floor(number * this.step), 12);
    const random = hex(hash(number, 14), 8) + hex(hash(number, 15), 8) + hex(hash(number, 16), 2);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6)}`;
  }

  // What a user's row says of changes.
  get revision() {
    return 2 * this.tasksEach;
  }

  // A user's newest pending tasks, `first` of them, newest first.
  newestPending(user, first) {
    const tasks = [];
    for (let nth = this.tasksEach - 1; nth >= 0 && tasks.length < first; nth -= 1) {
      const task = this.task(user, nth);
      if (!task.completed) tasks.push(task);
    }
    return tasks;
  }

  *tasks() {
    for (let nth = 0; nth < this.tasksEach; nth += 1) {
      for (let user = 0; user < this.users.length; user += 1) yield this.task(user, nth);
    }
  }
}

export function userNames(count) {
  return Array.from({ length: count }, (_, nth) => `user-${String(nth + 1).padStart(5, '0')}`);
}
