// What graphql-ws and graphql-sse have in common: operations by their text.
import { type FormattedExecutionResult, print } from 'graphql';
import type { TaskChangedSubscription } from '../generated/codegen/graphql.js';
import { TaskChangedDocument } from './documents.js';
import { type ChangesOf, resumable } from './resume.js';

type Operation = { query: string; variables: Record<string, unknown> };

interface Sink<Result> {
  next(result: Result): void;
  error(reason: unknown): void;
  complete(): void;
}

interface Client {
  subscribe<Data>(operation: Operation, sink: Sink<FormattedExecutionResult<Data, unknown>>): () => void;
  iterate<Data>(operation: Operation): AsyncIterable<FormattedExecutionResult<Data, unknown>>;
}

/** Brings the changes since a token; returns the function that ends it. */
export function subscribe(client: Client, since: string, changes: ChangesOf): () => void {
  const { variables, saw } = resumable(since);
  return client.subscribe<TaskChangedSubscription>(
    { query: print(TaskChangedDocument), variables },
    {
      next: ({ data, errors }) => {
        const change = data?.taskChanged;
        if (!change) return changes.end(errors);
        saw(change);
        changes.push(change);
      },
      error: (reason) => changes.end(reason),
      complete: () => changes.end(new Error('the subscription is complete')),
    },
  );
}

/** All results of one operation, until it is complete. */
export async function resultsOf<Data>(
  client: Client,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<FormattedExecutionResult<Data, unknown>[]> {
  const results: FormattedExecutionResult<Data, unknown>[] = [];
  for await (const result of client.iterate<Data>({ query, variables })) results.push(result);
  return results;
}

/** The codes of all errors in results, in their order. */
export const codesOf = (results: readonly Pick<FormattedExecutionResult, 'errors'>[]): unknown[] =>
  results.flatMap(({ errors = [] }) => errors.map((error) => error.extensions?.code));
