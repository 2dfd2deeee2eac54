// How a client stays up to date while its server comes and goes, and the story by which that is tested.
import assert from 'node:assert/strict';
import type { TaskChangedSubscription } from '../generated/codegen/graphql.js';
import { ask, createTasks, syncToken } from './ask.js';
import { DeleteTaskDocument, UpdateTaskDocument } from './documents.js';
import { Events } from './events.js';
import { Line } from './line.js';
import { type Server, newUser } from './server.js';

export type TaskChanged = TaskChangedSubscription['taskChanged'];

/** Where a subscription puts its changes, and why it ended. */
export type ChangesOf = Pick<Events<TaskChanged>, 'push' | 'end'>;

/**
 * Variables for a subscription to `taskChanged`. A client that sends them again after a reconnect reads them again:
 * `since` is the token of the last change that it `saw`.
 */
export function resumable(since: string): { variables: { since: string }; saw: (change: TaskChanged) => void } {
  let token = since;
  return {
    variables: {
      get since() {
        return token;
      },
    },
    saw: (change) => {
      token = change.syncToken;
    },
  };
}

/** A subscription that is there brings what becomes of a task, as it happens. */
export async function bringsEachChange(
  server: Server,
  subscribe: (user: string, since: string, changes: ChangesOf) => () => void,
): Promise<void> {
  const user = newUser();
  const changes = new Events<TaskChanged>();
  const unsubscribe = subscribe(user, await syncToken(server, user), changes);
  try {
    const [id = ''] = await createTasks(server, user, 'Buy milk');
    const created = await changes.next();
    assert.deepEqual([created.kind, created.taskId, created.task?.title], ['CREATED', id, 'Buy milk']);
    await ask(server, user, UpdateTaskDocument, { id, input: { title: 'Buy oat milk' } });
    const updated = await changes.next();
    assert.deepEqual([updated.kind, updated.taskId, updated.task?.title], ['UPDATED', id, 'Buy oat milk']);
    await ask(server, user, DeleteTaskDocument, { id });
    const deleted = await changes.next();
    assert.deepEqual([deleted.kind, deleted.taskId, deleted.task], ['DELETED', id, null]);
  } finally {
    unsubscribe();
  }
}

/**
 * A subscriber sees a change, and its server goes: after SIGTERM with a goodbye, with SIGKILL without one, and then
 * with a change that the subscriber did not get to see. The server comes back and makes another change before the
 * subscriber is back. It must bring all of them, in their order, each once.
 */
export async function missesNothing(
  server: Server,
  signal: 'SIGTERM' | 'SIGKILL',
  subscribe: (line: Line, user: string, since: string, changes: ChangesOf) => () => void,
): Promise<void> {
  const user = newUser();
  const line = await Line.to(server.port);
  const changes = new Events<TaskChanged>();
  const unsubscribe = subscribe(line, user, await syncToken(server, user), changes);
  try {
    await createTasks(server, user, 'seen');
    assert.equal((await changes.next()).task?.title, 'seen');
    const expected = [];
    if (signal === 'SIGKILL') {
      line.hold();
      await createTasks(server, user, 'not seen');
      expected.push('not seen');
    }
    await server.stop(signal);
    await line.cut();
    await server.restart();
    await createTasks(server, user, 'made while away');
    await line.open();
    await createTasks(server, user, 'made after');
    expected.push('made while away', 'made after');
    const titles = (await changes.take(expected.length)).map((change) => change.task?.title);
    assert.deepEqual(titles, expected);
  } finally {
    unsubscribe();
    await line.cut();
  }
}
