// One signed-in user: the Apollo client with its links, and the change feed that keeps its cache up to date.
import { ApolloClient, ApolloLink, HttpLink, makeVar } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { OperationTypeNode } from 'graphql';
import { defer, finalize, from, map, mergeMap } from 'rxjs';
import { createCache, forgetDeletions, forgetTask, newest, putTask } from './cache';
import { COUNTS, START } from './documents';
import { follow, type Follower } from './feed';
import type { ChangesSubscription, CountsQuery, StartQuery } from './generated/api';
import { hasCode } from './words';

export type Connection = 'connecting' | 'live' | 'offline' | 'token-needed';

export class Session {
  readonly connection = makeVar<Connection>('connecting');
  readonly counts = makeVar<CountsQuery | null>(null);
  readonly client: ApolloClient;
  readonly #follower: Follower;
  #following = new AbortController();
  #token: string;
  #viewer: StartQuery['viewer'] | null = null;
  #isCounting = false;
  #countAgain = false;

  constructor(token: string) {
    this.#token = token;
    this.client = new ApolloClient({ cache: createCache(), link: this.#links() });
    this.#follower = {
      since: '',
      token: () => this.#token,
      onConnection: (isConnected) => {
        this.connection(isConnected ? 'live' : 'offline');
        if (isConnected) void this.#count();
      },
      onChange: (change) => this.#apply(change),
      onTooOld: async () => {
        const { tasks } = await this.#start(this.#token);
        forgetDeletions();
        // A list that can't be loaded now is loaded when the connection is back.
        await this.client.resetStore().catch(() => undefined);
        return tasks.syncToken;
      },
    };
  }

  /** Who is signed in, by the best name that is known. */
  get name(): string {
    return this.#viewer?.name ?? this.#viewer?.email ?? this.#viewer?.id ?? '';
  }

  get userId(): string {
    return this.#viewer?.id ?? '';
  }

  /** Signs in. Fails where the token is invalid or expired, or the server is away. */
  async open(): Promise<void> {
    const { viewer, tasks } = await this.#start(this.#token);
    this.#viewer = viewer;
    this.#follower.since = tasks.syncToken;
    void this.#follow();
  }

  /** Goes on with a fresh token. False, and nothing done, where it is another user's. */
  async renew(token: string): Promise<boolean> {
    const { viewer } = await this.#start(token);
    if (viewer.id !== this.#viewer?.id) return false;
    this.#token = token;
    void this.#follow();
    return true;
  }

  close(): void {
    this.#following.abort();
    this.client.stop();
  }

  /** What is loaded after this is at least as new as the sync token, so following from there misses nothing. */
  async #start(token: string): Promise<StartQuery> {
    const { data } = await this.client.query({ query: START, fetchPolicy: 'no-cache', context: { token } });
    if (!data) throw new Error('an answer without data and without errors');
    return data;
  }

  async #follow(): Promise<void> {
    this.#following.abort();
    const { signal } = (this.#following = new AbortController());
    this.connection('connecting');
    await follow(this.#follower, signal);
    if (!signal.aborted) this.connection('token-needed');
  }

  #apply({ taskId, task }: ChangesSubscription['taskChanged']): void {
    const { cache } = this.client;
    cache.batch({ update: () => (task ? putTask(cache, task) : forgetTask(cache, taskId)) });
    void this.#count();
  }

  /** Counts the tasks; what changes meanwhile is counted by one more call. */
  async #count(): Promise<void> {
    this.#countAgain = true;
    if (this.#isCounting) return;
    this.#isCounting = true;
    while (this.#countAgain) {
      this.#countAgain = false;
      const answer = await this.client.query({ query: COUNTS, fetchPolicy: 'no-cache' }).catch(() => null);
      if (answer?.data) this.counts(answer.data);
    }
    this.#isCounting = false;
  }

  #links(): ApolloLink {
    return ApolloLink.from([
      new ErrorLink(({ error }) => {
        if (hasCode(error, 'UNAUTHENTICATED')) this.connection('token-needed');
      }),
      new ApolloLink((operation, forward) =>
        forward(operation).pipe(map((result) => newest(this.client.cache, result))),
      ),
      inOrder(),
      new SetContextLink((context) => {
        const token = typeof context.token === 'string' ? context.token : this.#token;
        return { headers: { Authorization: `Bearer ${token}` } };
      }),
      new HttpLink({ uri: '/graphql' }),
    ]);
  }
}

/** Sends changes one after another, so that they arrive in the order in which they were made. */
function inOrder(): ApolloLink {
  let last: Promise<void> = Promise.resolve();
  return new ApolloLink((operation, forward) => {
    if (operation.operationType !== OperationTypeNode.MUTATION) return forward(operation);
    return defer(() => {
      const before = last;
      let isOver = () => {};
      last = new Promise((resolve) => (isOver = resolve));
      return from(before).pipe(
        mergeMap(() => forward(operation)),
        finalize(() => isOver()),
      );
    });
  });
}
