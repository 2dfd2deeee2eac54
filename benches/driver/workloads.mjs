// What is asked of the servers: operations, their requests in GraphQL and in REST, and what a right answer is.
import { createHmac } from 'node:crypto';
import { description, title } from './data.mjs';

export const SECRET = 'the secret of the benchmark, 32 bytes and more';

// Users are apart, so that what the writing workloads leave behind is not read by the reading ones.
const READERS = 0;
const WRITERS = 100;
const MIXED = 200;
const USERS = 100;
export const USERS_NEEDED = MIXED + USERS;
// How many of a user's tasks are asked for one by one.
const TASKS = 50;

const list = (first) => (data) => cycle(USERS, (user) => ({ verb: 'list', user: READERS + user, first }));
const task = (verb, users) => (data) =>
  cycle(USERS * TASKS, (turn) => ({ verb, user: users + (turn % USERS), nth: spread(data, Math.floor(turn / USERS)) }));
const create = (users) => () =>
  cycle(USERS * TASKS, (turn) => ({ verb: 'create', user: users + (turn % USERS), seed: turn }));

const cycle = (length, operation) => Array.from({ length }, (_, turn) => operation(turn));
const spread = (data, nth) => Math.floor(((nth + 0.5) * data.tasksEach) / TASKS);

// Of each 20 turns 16 are lists, two tasks, one a create and one a toggle; a user's turns fall on all of them.
function mix(data) {
  const [tasks, creates, toggles] = [task('task', MIXED)(data), create(MIXED)(data), task('toggle', MIXED)(data)];
  const others = { 0: creates, 3: tasks, 10: toggles, 14: tasks };
  return cycle(2_000, (turn) => {
    const user = MIXED + (turn % USERS);
    const choice = others[(turn + Math.floor(turn / USERS)) % 20];
    return choice ? { ...choice[(turn * 7) % choice.length], user } : { verb: 'list', user, first: 20 };
  });
}

const all = [
  { name: 'W1', title: 'list of 20', operations: list(20) },
  { name: 'W2', title: 'list of 100', operations: list(100) },
  { name: 'W3', title: 'one task', operations: task('task', READERS) },
  { name: 'W4', title: 'create', operations: create(WRITERS), writes: true },
  { name: 'W5', title: 'toggle', operations: task('toggle', WRITERS), writes: true },
  { name: 'W6', title: 'mix', operations: mix, writes: true },
];

const wanted = process.env.TASKQL_BENCH_WORKLOADS?.split(',');
export const workloads = wanted ? all.filter(({ name }) => wanted.includes(name)) : all;
export const [pageOf20] = all;

export const isWrite = ({ verb }) => verb === 'create' || verb === 'toggle';

export function token(user, secret = SECRET) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const signed = `${encode({ typ: 'JWT', alg: 'HS256' })}.${encode({ sub: user, iat: now, exp: now + 86_400 })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const FIELDS = 'id title description completed priority dueDate createdAt updatedAt';
const DOCUMENTS = {
  list: `query Tasks($status: TaskStatusFilter!, $first: Int!) {
    tasks(status: $status, first: $first) { nodes { ${FIELDS} } }
  }`,
  task: `query Task($id: ID!) { task(id: $id) { ${FIELDS} } }`,
  create: `mutation CreateTask($input: CreateTaskInput!) { createTask(input: $input) { task { ${FIELDS} } } }`,
  toggle: `mutation ToggleTask($id: ID!) { toggleTask(id: $id) { task { ${FIELDS} } } }`,
};
const OPERATION_NAMES = { list: 'Tasks', task: 'Task', create: 'CreateTask', toggle: 'ToggleTask' };

// What a client sends to make the task of `seed`.
export function input(seed) {
  const dueDate = new Date(Date.UTC(2027, 0, 1) + seed * 60_000).toISOString();
  return { title: title(seed), description: description(seed), priority: 'MEDIUM', dueDate };
}

// The request for an operation: method, path, accepted media type, and body where there is one.
export function request(kind, data, operation) {
  const { verb, user, first, nth, seed } = operation;
  const id = operation.id ?? (nth === undefined ? undefined : data.id(user, nth));
  if (kind === 'graphql') {
    let variables = { id };
    if (verb === 'list') variables = { status: 'PENDING', first };
    if (verb === 'create') variables = { input: input(seed) };
    const body = JSON.stringify({ operationName: OPERATION_NAMES[verb], query: DOCUMENTS[verb], variables });
    return { method: 'POST', path: '/graphql', accept: 'application/graphql-response+json', body };
  }
  const accept = 'application/json';
  switch (verb) {
    case 'list':
      return { method: 'GET', path: `/tasks?status=pending&first=${first}`, accept };
    case 'task':
      return { method: 'GET', path: `/tasks/${id}`, accept };
    case 'create':
      return { method: 'POST', path: '/tasks', accept, body: JSON.stringify(input(seed)) };
    case 'toggle':
      return { method: 'POST', path: `/tasks/${id}/toggle`, accept };
  }
}

// Sends one operation; gives its status and, of an answer without errors, the list or the task in it.
export async function send(server, data, operation, bearer = token(data.users[operation.user])) {
  const { method, path, accept, body } = request(server.kind, data, operation);
  const headers = { accept, authorization: `Bearer ${bearer}` };
  if (body) headers['content-type'] = 'application/json';
  const response = await fetch(server.origin + path, { method, headers, body });
  const text = await response.text();
  if (response.status >= 300) return { status: response.status };
  const json = JSON.parse(text);
  if (server.kind === 'rest') return { status: response.status, result: json };
  if (json.errors) return { status: response.status, errors: json.errors };
  const { tasks, task, createTask, toggleTask } = json.data;
  const result = { list: tasks?.nodes, task, create: createTask?.task, toggle: toggleTask?.task }[operation.verb];
  return { status: response.status, result };
}
