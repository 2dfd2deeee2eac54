// A graphql-ws client as an application has it that wants to stay connected.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type ClientOptions, createClient } from 'graphql-ws';
import WebSocket from 'ws';

/** Tries to be back for ever, with the token of the moment; soon, since the tests wait for it. */
export const connectSocket = (url: string, token: () => string, more: Partial<ClientOptions> = {}): Client =>
  createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: () => ({ Authorization: `Bearer ${token()}` }),
    retryAttempts: Number.POSITIVE_INFINITY,
    // Also where nobody listens at all, which by default counts as fatal.
    shouldRetry: () => true,
    retryWait: () => sleep(20),
    ...more,
  });
