// A TCP line between a client and the server that a test can hold and cut: so it decides what the client got to see
// before the server went, and when the client is back.
import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { freePort } from './ports.js';

export class Line {
  readonly http: string;
  readonly ws: string;
  #listener: Server | undefined;
  #isHeld = false;
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly port: number,
    private readonly serverPort: number,
  ) {
    this.http = `http://127.0.0.1:${port}/graphql`;
    this.ws = `ws://127.0.0.1:${port}/graphql`;
  }

  static async to(serverPort: number): Promise<Line> {
    const line = new Line(await freePort(), serverPort);
    await line.open();
    return line;
  }

  /** From now on nothing that the server sends arrives at the client. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Ends all connections; new ones are refused until `open`. */
  async cut(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    const closed = listener && once(listener, 'close');
    listener?.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async open(): Promise<void> {
    this.#isHeld = false;
    const listener = createServer((client) => {
      const server = connect(this.serverPort, '127.0.0.1');
      const join = (from: Socket, to: Socket, write: (bytes: Buffer) => void): void => {
        this.#sockets.add(from);
        from.on('data', write);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      };
      join(client, server, (bytes) => server.write(bytes));
      join(server, client, (bytes) => {
        if (!this.#isHeld) client.write(bytes);
      });
    });
    listener.listen(this.port, '127.0.0.1');
    await once(listener, 'listening');
    this.#listener = listener;
  }
}
