// What the tests stand on: a taskql of their own in development mode, its API, and a line to it that can be cut.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export class Server {
  #binary;
  #folder = mkdtempSync(join(tmpdir(), 'taskql-browser-'));
  #listen = '127.0.0.1:0';
  #process;

  constructor(binary) {
    this.#binary = binary;
    // It must not outlive the tests, however they end.
    process.once('exit', () => this.#process?.kill('SIGKILL'));
  }

  get #isRunning() {
    return this.#process?.exitCode === null && this.#process.signalCode === null;
  }

  get #options() {
    const { PATH } = process.env;
    const env = { PATH, DATABASE_URL: 'sqlite:tasks.db', TASKQL_LISTEN: this.#listen, TASKQL_RATE_LIMIT: '0' };
    return { cwd: this.#folder, env };
  }

  /** Starts it if it does not run, each time on the same port and the same database. */
  async start() {
    if (this.#isRunning) return;
    const server = spawn(this.#binary, ['serve'], { ...this.#options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = server;
    const find = async (stream, pattern) => {
      for await (const line of createInterface({ input: stream })) {
        const found = line.match(pattern);
        if (found) {
          // Nobody reads on, and a full pipe would stop the server.
          stream.resume();
          return found[1];
        }
      }
      throw new Error('the server did not start');
    };
    [this.#listen, this.token] = await Promise.all([
      find(server.stderr, /listening address=(\S+)/),
      find(server.stdout, /^(eyJ\S+)$/),
    ]);
  }

  get origin() {
    return `http://${this.#listen}`;
  }

  get port() {
    return Number(this.#listen.split(':')[1]);
  }

  /** Ends it without warning. */
  async kill() {
    if (!this.#isRunning) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
  }

  /** Runs another command of the binary, and gives what it prints. */
  command(...words) {
    return execFileSync(this.#binary, words, { ...this.#options, stdio: ['ignore', 'pipe', 'pipe'] }).toString().trim();
  }

  /** Has a secret made anew at the next start, so that the tokens of before do not hold any more. */
  forgetSecret() {
    rmSync(join(this.#folder, '.taskql-dev-secret'));
  }

  async remove() {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }

  /** Asks the API as the user of the token. */
  async ask(query, variables = {}, token = this.token) {
    const response = await fetch(`${this.origin}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await response.json();
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  }

  async create(input, token) {
    const query = 'mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }';
    return (await this.ask(query, { input }, token)).createTask.task.id;
  }

  async update(id, input, token) {
    const query = 'mutation ($id: ID!, $in: UpdateTaskInput!) { updateTask(id: $id, input: $in) { task { id } } }';
    await this.ask(query, { id, in: input }, token);
  }

  async delete(id, token) {
    await this.ask('mutation ($id: ID!) { deleteTask(id: $id) { deletedTaskId } }', { id }, token);
  }

  /** Makes tasks of these titles, in this order. */
  async createAll(titles, token) {
    for (let from = 0; from < titles.length; from += 10) {
      const fields = titles.slice(from, from + 10).map((title, nth) => {
        return `t${nth}: createTask(input: { title: ${JSON.stringify(title)} }) { task { id } }`;
      });
      await this.ask(`mutation { ${fields.join(' ')} }`, {}, token);
    }
  }

  /** Deletes all tasks. */
  async clear(token) {
    const { tasks } = await this.ask('{ tasks(first: 100) { nodes { id } } }', {}, token);
    for (const { id } of tasks.nodes) await this.delete(id, token);
  }

  /** The titles of a list, as the server has them. */
  async titles({ status = 'ALL', sortBy = 'CREATED', direction = 'DESC' } = {}, token) {
    const query = `query ($status: TaskStatusFilter, $sortBy: TaskSort, $direction: SortDirection) {
      tasks(status: $status, sortBy: $sortBy, direction: $direction, first: 100) { nodes { title } }
    }`;
    const { tasks } = await this.ask(query, { status, sortBy, direction }, token);
    return tasks.nodes.map(({ title }) => title);
  }
}

/** A line to the server that can be cut: what goes through it is lost, as where a network goes away. */
export class Line {
  #sockets = new Set();
  #isCut = false;
  #server;

  constructor(port) {
    this.#server = createServer((from) => {
      if (this.#isCut) return from.destroy();
      const to = connect(port, '127.0.0.1');
      for (const [socket, other] of [[from, to], [to, from]]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
      return undefined;
    });
  }

  async open() {
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Nothing comes through any more, and nobody is told. */
  stall() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  mend() {
    this.#isCut = false;
  }

  close() {
    this.cut();
    this.#server.close();
  }
}
