// A fetch that notes what was sent, and that can keep answers back: so a test sees a client between its request and
// the answer.
export type Sent = { method: string; url: URL; body: string | undefined; status: number };

export class Gate {
  readonly sent: Sent[] = [];
  #closed: Promise<void> = Promise.resolve();

  /** Answers arrive again once the function that this returns is called. */
  close(): () => void {
    let open = (): void => undefined;
    this.#closed = new Promise((resolve) => {
      open = resolve;
    });
    return open;
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const body = request.body === null ? undefined : await request.clone().text();
    const response = await fetch(request);
    this.sent.push({ method: request.method, url: new URL(request.url), body, status: response.status });
    await this.#closed;
    return response;
  };
}
