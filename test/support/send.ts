interface Sent {
  readonly key?: string;
  readonly body?: unknown;
}

export const send = (method: string, url: string, { key, body }: Sent): Promise<Response> =>
  fetch(url, {
    method,
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
