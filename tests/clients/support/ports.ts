// Free ports for servers that come back on the port they had.
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A port that nobody listens on, below the range that systems take for outgoing connections: a client that dials a
 * port of that range while nobody listens there may be given the very port, and then talks to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const probe = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
}
