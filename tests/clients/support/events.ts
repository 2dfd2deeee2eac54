// What a subscription brought, in its order, to be awaited one by one.
const PATIENCE_MS = 10_000;

export class Events<Event> {
  readonly #waiting: Event[] = [];
  #wake: (() => void) | undefined;
  #end: Error | undefined;

  push(event: Event): void {
    this.#waiting.push(event);
    this.#wake?.();
  }

  /** No more events will come: whoever waits for one gets this error. */
  end(reason: unknown): void {
    this.#end = reason instanceof Error ? reason : new Error(JSON.stringify(reason));
    this.#wake?.();
  }

  async next(): Promise<Event> {
    for (;;) {
      const event = this.#waiting.shift();
      if (event !== undefined) return event;
      if (this.#end) throw this.#end;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('the event that was awaited did not come')), PATIENCE_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** The first event of this kind; those before it are let go. */
  async until(isWanted: (event: Event) => boolean): Promise<Event> {
    for (;;) {
      const event = await this.next();
      if (isWanted(event)) return event;
    }
  }

  async take(count: number): Promise<Event[]> {
    const events: Event[] = [];
    while (events.length < count) events.push(await this.next());
    return events;
  }
}
