// Follows the change feed over a WebSocket, for ever: after each loss it goes on from the last change that it saw.
import { addTypenameToDocument } from '@apollo/client/utilities';
import { print } from 'graphql';
import { createClient, type Client } from 'graphql-ws';
import { CHANGES } from './documents';
import type { ChangesSubscription } from './generated/api';
import { hasCode } from './words';

const QUERY = print(addTypenameToDocument(CHANGES));
/** The server's close code for an invalid or expired token. */
const FORBIDDEN = 4403;
const PING_MS = 10_000;
const PONG_MS = 5_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 20_000;

export interface Follower {
  /** The `since` to go on from. */
  since: string;
  token: () => string;
  onConnection: (isConnected: boolean) => void;
  onChange: (change: ChangesSubscription['taskChanged']) => void;
  /** The copy is too old to be brought up to date: loads all anew, and gives the token to go on from. */
  onTooOld: () => Promise<string>;
}

/** Ends when `signal` does, or when the token no longer holds. */
export async function follow(follower: Follower, signal: AbortSignal): Promise<void> {
  let failures = 0;
  const socket = connect(follower, () => (failures = 0));
  while (!signal.aborted) {
    const end = await subscribe(socket, follower, signal);
    if (signal.aborted) return;
    follower.onConnection(false);
    if (hasCode(end, 'UNAUTHENTICATED') || (end instanceof CloseEvent && end.code === FORBIDDEN)) return;
    if (hasCode(end, 'SYNC_TOKEN_EXPIRED')) {
      const since = await follower.onTooOld().catch(() => null);
      if (since !== null) {
        follower.since = since;
        continue;
      }
    }
    await pause(failures++, signal);
  }
}

function connect({ token, onConnection }: Follower, onConnected: () => void): Client {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  let silence: ReturnType<typeof setTimeout> | undefined;
  const socket = createClient({
    url: `${scheme}//${location.host}/graphql`,
    connectionParams: () => ({ Authorization: `Bearer ${token()}` }),
    // Retrying is ours: graphql-ws would send the `since` of the beginning again.
    retryAttempts: 0,
    // A network that dies without a word is noticed by a ping without an answer.
    keepAlive: PING_MS,
    on: {
      connected: () => {
        onConnected();
        onConnection(true);
      },
      ping: (wasReceived) => {
        if (!wasReceived) silence = setTimeout(() => socket.terminate(), PONG_MS);
      },
      pong: () => clearTimeout(silence),
      closed: () => clearTimeout(silence),
    },
  });
  return socket;
}

/** One subscription. Gives what ended it: a close event, errors, or nothing. */
function subscribe(socket: Client, follower: Follower, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    const end = (reason: unknown) => {
      signal.removeEventListener('abort', stop);
      resolve(reason);
    };
    const stop = socket.subscribe<ChangesSubscription>(
      { query: QUERY, variables: { since: follower.since } },
      {
        next({ data, errors }) {
          if (!data) return end(errors);
          follower.onChange(data.taskChanged);
          follower.since = data.taskChanged.syncToken;
        },
        error: end,
        complete: () => end(undefined),
      },
    );
    signal.addEventListener('abort', stop);
  });
}

/** Waits longer from time to time; not at all when the network comes back or somebody looks at the page again. */
function pause(failures: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = new AbortController();
    const end = () => {
      clearTimeout(timer);
      over.abort();
      resolve();
    };
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
    // A random part keeps many windows from coming back at the same moment.
    const timer = setTimeout(end, longest * (0.5 + Math.random() / 2));
    addEventListener('online', end, { signal: over.signal });
    addEventListener('visibilitychange', end, { signal: over.signal });
    signal.addEventListener('abort', end, { signal: over.signal });
  });
}
