// graphql-request with typed documents.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ClientError, GraphQLClient } from 'graphql-request';
import { titlesOnServer } from './support/ask.js';
import {
  CreateTaskDocument,
  DeleteTaskDocument,
  PageDocument,
  TaskDocument,
  UpdateTaskDocument,
} from './support/documents.js';
import { Gate } from './support/gate.js';
import { Server, newUser, tokenOf } from './support/server.js';

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server.remove());

type Options = NonNullable<ConstructorParameters<typeof GraphQLClient>[1]>;

const connect = (token: string, options: Options = {}): GraphQLClient =>
  new GraphQLClient(server.http, { headers: { authorization: `Bearer ${token}` }, ...options });

/** What a refused request is rejected with. */
async function refusal(request: Promise<unknown>): Promise<ClientError['response']> {
  const error: unknown = await request.then(
    () => assert.fail('the request was not refused'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ClientError, String(error));
  return error.response;
}

const codes = ({ errors = [] }: ClientError['response']): unknown[] => errors.map(({ extensions }) => extensions.code);

test('graphql-request: creates, reads, updates, lists and deletes', async () => {
  const user = newUser();
  const client = connect(tokenOf(user));
  const input = { title: 'Buy milk', priority: 'HIGH', dueDate: '2027-01-01T00:00:00Z' } as const;
  const { createTask } = await client.request(CreateTaskDocument, { input });
  const id = createTask?.task.id ?? assert.fail();
  const { updateTask } = await client.request(UpdateTaskDocument, { id, input: { dueDate: null }, expectedVersion: 1 });
  assert.equal(updateTask?.task.version, 2);
  const { task } = await client.request(TaskDocument, { id });
  assert.deepEqual([task?.title, task?.priority, task?.dueDate, task?.version], ['Buy milk', 'HIGH', null, 2]);
  const { tasks } = await client.request({ document: PageDocument, variables: { status: 'PENDING' } });
  assert.deepEqual(tasks.edges.map((edge) => edge.node.id), [id]);
  assert.deepEqual(await client.request(DeleteTaskDocument, { id }), { deleteTask: { deletedTaskId: id } });
  assert.deepEqual(await titlesOnServer(server, user), []);
});

test('graphql-request: with the method GET queries go by GET, and mutations by POST', async () => {
  const user = newUser();
  const gate = new Gate();
  const client = connect(tokenOf(user), { method: 'GET', jsonSerializer: JSON, fetch: gate.fetch });
  await client.request(CreateTaskDocument, { input: { title: 'Buy milk' } });
  assert.equal((await client.request(PageDocument, { first: 1 })).tasks.totalCount, 1);
  assert.deepEqual(gate.sent.map(({ method, status }) => [method, status]), [['POST', 200], ['GET', 200]]);
});

test('graphql-request: errors have their codes, and the status that they stand for', async () => {
  const client = connect(tokenOf(newUser()));
  const missing = await refusal(client.request(TaskDocument, { id: '00000000-0000-7000-8000-000000000000' }));
  assert.deepEqual([missing.status, codes(missing)], [200, ['NOT_FOUND']]);
  const invalid = await refusal(client.request(CreateTaskDocument, { input: { title: '' } }));
  assert.deepEqual([invalid.status, codes(invalid)], [200, ['BAD_USER_INPUT']]);
  const unknown = await refusal(client.request('{ viewer { nmae } }'));
  assert.deepEqual(codes(unknown), ['GRAPHQL_VALIDATION_FAILED']);
  assert.match(unknown.errors?.[0]?.message ?? '', /nmae/);
  const late = await refusal(connect(tokenOf(newUser(), { secondsLeft: -3600 })).request(PageDocument, {}));
  assert.deepEqual([late.status, codes(late)], [401, ['UNAUTHENTICATED']]);
});
