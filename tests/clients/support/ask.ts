// Another device of the user's: documents sent with plain fetch, past the client that a test is about.
import assert from 'node:assert/strict';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { type GraphQLFormattedError, print } from 'graphql';
import { CreateTaskDocument, PageDocument, SyncTokenDocument } from './documents.js';
import { type Server, tokenOf } from './server.js';

type Answer<Data> = { data?: Data | null; errors?: readonly GraphQLFormattedError[] };

/** The data of an answer without errors. */
export async function ask<Data, Variables>(
  server: Server,
  user: string,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<Data> {
  const response = await fetch(server.http, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokenOf(user)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: print(document), variables }),
  });
  const answer = (await response.json()) as Answer<Data>;
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  assert.ok(answer.data);
  return answer.data;
}

/** Makes tasks one after the other, and tells their ids in this order. */
export async function createTasks(server: Server, user: string, ...titles: string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const title of titles) {
    const data = await ask(server, user, CreateTaskDocument, { input: { title } });
    assert.ok(data.createTask);
    ids.push(data.createTask.task.id);
  }
  return ids;
}

/** The titles of all tasks that the server has, the newest first. */
export async function titlesOnServer(server: Server, user: string): Promise<string[]> {
  const { tasks } = await ask(server, user, PageDocument, { first: 100 });
  return tasks.edges.map((edge) => edge.node.title);
}

/** Where a copy of the tasks begins to listen for changes. */
export async function syncToken(server: Server, user: string): Promise<string> {
  return (await ask(server, user, SyncTokenDocument, {})).tasks.syncToken;
}
