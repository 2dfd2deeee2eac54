// That every server answers rightly: before the load exactly, during it in samples.
import assert from 'node:assert/strict';
import { input, send, token } from './workloads.mjs';

// Fraction digits that are zero mean nothing.
const instant = (text) => text?.replace(/\.(\d*?)0*Z$/, (_, digits) => (digits ? `.${digits}Z` : 'Z')) ?? null;

function normal(task) {
  const { dueDate, createdAt, updatedAt } = task;
  return { ...task, dueDate: instant(dueDate), createdAt: instant(createdAt), updatedAt: instant(updatedAt) };
}

// A task of the data set as clients see it.
function seen({ id, title, description, completed, priority, dueDate, createdAt, updatedAt }) {
  const text = (ms) => (ms === null ? null : new Date(ms).toISOString());
  const instants = { dueDate: text(dueDate), createdAt: text(createdAt), updatedAt: text(updatedAt) };
  return normal({ id, title, description, completed, priority, ...instants });
}

// Asks one reading operation whose answer is known, and compares.
async function reads(server, data, operation) {
  const { status, result, errors } = await send(server, data, operation);
  assert.equal(errors, undefined, `${server.name}: ${JSON.stringify(errors)}`);
  assert.equal(status, 200, `${server.name}: status ${status} for ${JSON.stringify(operation)}`);
  const { verb, user, first, nth } = operation;
  if (verb === 'list') assert.deepEqual(result.map(normal), data.newestPending(user, first).map(seen), server.name);
  else assert.deepEqual(normal(result), seen(data.task(user, nth)), server.name);
}

// Writes one operation and reads back what it says.
async function writes(server, data, operation) {
  const { verb, user, seed, nth } = operation;
  const before = verb === 'toggle' ? (await send(server, data, { verb: 'task', user, nth })).result : null;
  const asked = Date.now();
  const { status, result, errors } = await send(server, data, operation);
  assert.equal(errors, undefined, `${server.name}: ${JSON.stringify(errors)}`);
  assert.ok([200, 201].includes(status), `${server.name}: status ${status} for ${JSON.stringify(operation)}`);
  const task = normal(result);
  const age = Date.parse(task.updatedAt) - asked;
  assert.ok(age >= -1 && age < 60_000, `${server.name}: ${verb} says that it was made at ${task.updatedAt}`);
  if (verb === 'create') {
    const { dueDate, ...sent } = input(seed);
    const { id, createdAt, updatedAt } = task;
    assert.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.deepEqual(
      task,
      { ...sent, id, completed: false, dueDate: instant(dueDate), createdAt, updatedAt },
      server.name,
    );
    assert.equal(createdAt, updatedAt, server.name);
  } else {
    assert.deepEqual(task, { ...normal(before), completed: !before.completed, updatedAt: task.updatedAt }, server.name);
  }
  const again = await send(server, data, { verb: 'task', user, id: result.id });
  assert.ok(again.result, `${server.name}: what ${verb} wrote is not there`);
  assert.deepEqual(normal(again.result), task, `${server.name}: what ${verb} wrote is not what is read`);
}

async function refuses(server, data) {
  const operation = { verb: 'task', user: 0, nth: 0 };
  const foreign = token(data.users[0], 'somebody else’s secret, 32 bytes and more');
  assert.equal((await send(server, data, operation, foreign)).status, 401, `${server.name} takes a token of another's`);
  const others = await send(server, data, operation, token(data.users[1]));
  assert.ok(others.status === 404 || others.errors || others.result === null, `${server.name} shows another's task`);
}

// Every kind of answer, before the load.
export async function checkServer(server, data, workloads) {
  await refuses(server, data);
  for (const { operations, writes: isWriting } of workloads.filter(({ name }) => name !== 'W6')) {
    for (const operation of operations(data).slice(0, isWriting ? 5 : 100)) {
      await (isWriting ? writes : reads)(server, data, operation);
    }
  }
}

// One operation while the load goes on, when other writes may come between.
export async function checkSample(server, data, operation, isQuiet) {
  if (isQuiet) return reads(server, data, operation);
  const { status, result, errors } = await send(server, data, operation);
  const answer = JSON.stringify(errors ?? result)?.slice(0, 300);
  const where = `${server.name}: ${JSON.stringify(operation)} got ${status} ${answer}`;
  assert.ok((status === 200 || status === 201) && errors === undefined, where);
  const { verb, user, nth, first, seed } = operation;
  if (verb === 'list') {
    assert.equal(result.length, first, where);
    assert.ok(
      result.every((task) => task.completed === false),
      where,
    );
  } else if (verb === 'create') {
    assert.equal(result.title, input(seed).title, where);
  } else {
    assert.equal(result.id, data.id(user, nth), where);
  }
  return undefined;
}
