// A taskql of the test's own: in a temporary folder, on SQLite, without a rate limit.
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const SECRET = 'a secret of the differential test, 32 bytes and more';
/** Connections that are kept open. */
export const CONNECTIONS = 8;
/** After so many milliseconds another change is made for a subscription that still waits for one. */
const NUDGE_MS = 100;
/** Whatever takes longer hangs. */
const PATIENCE_MS = 20_000;

export class Server {
  #folder = mkdtempSync(join(tmpdir(), 'taskql-differential-'));
  #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  #process;
  #address;
  #log = [];

  constructor(binary) {
    const env = {
      DATABASE_URL: 'sqlite:tasks.db',
      TASKQL_JWT_SECRET: SECRET,
      TASKQL_LISTEN: '127.0.0.1:0',
      TASKQL_RATE_LIMIT: '0',
      TASKQL_LOG: 'warn,taskql=info',
    };
    this.#process = spawn(binary, ['serve'], { cwd: this.#folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
    // It must not outlive the test, however that ends.
    process.once('exit', () => {
      this.#process.kill('SIGKILL');
      rmSync(this.#folder, { recursive: true, force: true });
    });
  }

  async start() {
    await new Promise((resolve, reject) => {
      this.#process.once('error', reject);
      this.#process.once('exit', () => reject(new Error(`the server ended:\n${this.#log.join('\n')}`)));
      createInterface({ input: this.#process.stderr }).on('line', (line) => {
        const found = line.match(/listening address=(\S+)/);
        if (found) [this.#address] = [found[1], resolve()];
        // What is wrong with a server stands at the end.
        if (!line.includes('INFO')) this.#log.push(line);
        if (this.#log.length > 20) this.#log.shift();
      });
    });
  }

  /** Sends a body as JSON text; the answer is parsed. A subscription's is its first event. */
  send(token, body) {
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'application/graphql-response+json, text/event-stream;q=0.5',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const [host, port] = this.#address.split(':');
    const options = { host, port, path: '/graphql', method: 'POST', agent: this.#agent, headers };
    return new Promise((resolve, reject) => {
      let nudge;
      const sent = request(options, (response) => {
        const isStream = response.headers['content-type']?.startsWith('text/event-stream');
        // A good subscription says nothing until something changes.
        if (isStream) nudge = setInterval(() => this.#change(token), NUDGE_MS);
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part) => {
          text += part;
          const event = isStream && text.match(/^event: next\ndata: (.*)\n\n/m);
          if (event) {
            resolve(JSON.parse(event[1]));
            sent.destroy();
          }
        });
        response.on('end', () => {
          try {
            resolve(isStream ? {} : JSON.parse(text));
          } catch {
            reject(new Error(`an answer that is no JSON (status ${response.statusCode}): ${text.slice(0, 200)}`));
          }
        });
      });
      sent.setTimeout(PATIENCE_MS, () => sent.destroy(new Error('no answer in time')));
      sent.on('error', (error) => reject(new Error(`${error.message}\n${this.#log.join('\n')}`)));
      sent.on('close', () => clearInterval(nudge));
      sent.end(body);
    });
  }

  /** Runs a document that is known to be good; its data. */
  async data(token, query, variables = {}) {
    const { data, errors } = await this.send(token, JSON.stringify({ query, variables }));
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  }

  #change(token) {
    const changed = this.data(token, 'mutation { createTask(input: {title: "a change"}) { task { id } } }');
    changed.catch((error) => console.error(error.message));
  }

  stop() {
    this.#agent.destroy();
    this.#process.removeAllListeners('exit');
    this.#process.kill();
  }
}

/** A token of a user. */
export function token(sub) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub, exp: Math.floor(Date.now() / 1000) + 3600 };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}
