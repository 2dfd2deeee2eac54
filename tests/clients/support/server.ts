// A taskql for a test: started on a database, stopped, and started again on the same port and database. The binary is
// the one of TASKQL_BINARY, the database that of TASKQL_TEST_DATABASE; without the latter it is a SQLite file that goes
// with the server. Tests share a database and are kept apart by their users.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './ports.js';

const SECRET = 'a secret of the clients, 32 bytes and more';

const started = new Set<Server>();
// Also where a file of tests is given up because it hangs, no server stays behind.
process.once('SIGTERM', () => process.exit(1));
process.once('exit', () => {
  for (const server of started) server.abandon();
});

export class Server {
  readonly http: string;
  readonly ws: string;
  #child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
  ) {
    this.http = `http://127.0.0.1:${port}/graphql`;
    this.ws = `ws://127.0.0.1:${port}/graphql`;
  }

  static async start(): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), 'taskql-clients-'));
    const server = new Server(await freePort(), folder);
    started.add(server);
    await server.restart();
    return server;
  }

  /** Starts what was stopped; resolves once it listens. */
  async restart(): Promise<void> {
    const binary = process.env.TASKQL_BINARY;
    if (!binary) throw new Error('TASKQL_BINARY is not set: start the tests with npm test');
    const child = spawn(binary, ['serve'], {
      cwd: this.folder,
      env: {
        DATABASE_URL: process.env.TASKQL_TEST_DATABASE || `sqlite:${join(this.folder, 'taskql.db')}`,
        TASKQL_JWT_SECRET: SECRET,
        TASKQL_LISTEN: `127.0.0.1:${this.port}`,
        TASKQL_RATE_LIMIT: '0',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    const log: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      log.push(line);
      if (line.includes('listening address=')) {
        // Nobody reads the log any more, and a full pipe would stop the server.
        child.stderr.resume();
        return;
      }
    }
    throw new Error(`the server did not start:\n${log.join('\n')}`);
  }

  /** SIGTERM lets the server say goodbye; after SIGKILL it is gone as by a loss of power. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }

  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    this.abandon();
  }

  /** What `remove` does, without waiting for the end. */
  abandon(): void {
    this.#child?.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
    started.delete(this);
  }
}

/** A user whom no other test knows. */
export const newUser = (): string => `user-${randomUUID()}`;

/** A token that the servers take, unless it is over or signed with another secret. */
export function tokenOf(user: string, { secondsLeft = 3600, secret = SECRET } = {}): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: user, exp: Math.floor(Date.now() / 1000) + secondsLeft };
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
