/**
 * Keeps a stream of events open while the page can be seen. A hidden page has none, because a browser opens only six
 * connections to a server and each stream keeps one. The browser reopens a dropped stream by itself, but not one that
 * the server refused, so that one is reopened here with growing pauses.
 * @param {object} ports
 * @param {() => EventSource} ports.open
 * @param {(run: () => void, delayMs: number) => void} ports.schedule
 * @param {Pick<Document, "hidden" | "addEventListener">} ports.document
 * @param {Readonly<Record<string, (data: any) => void>>} ports.on called with the parsed data of each event
 * @param {() => void} ports.onOpen events before this were missed
 * @param {() => void} ports.onLost
 */
export function followStream({ open, schedule, document, on, onOpen, onLost }) {
  /** @type {EventSource | undefined} */
  let stream;
  let refusals = 0;
  const connect = () => {
    if (stream !== undefined || document.hidden) return;
    const source = open();
    stream = source;
    for (const [name, handle] of Object.entries(on))
      source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
    source.addEventListener("open", () => {
      refusals = 0;
      onOpen();
    });
    source.addEventListener("error", () => {
      if (source !== stream) return;
      onLost();
      if (source.readyState !== EventSource.CLOSED) return;
      stream = undefined;
      refusals += 1;
      schedule(connect, Math.min(15_000, 500 * 2 ** refusals));
    });
  };
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) return connect();
    stream?.close();
    stream = undefined;
  });
  connect();
}
