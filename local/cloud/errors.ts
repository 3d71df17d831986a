/** An error response of a local service. `type` is the name of AWS's exception; the message is AWS's. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly type: string;
  readonly statusCode: number;

  constructor(type: string, message: string, statusCode = 400) {
    super(message);
    this.type = type;
    this.statusCode = statusCode;
  }
}

/** The template needs something that cannot run here. The message names the resource. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

/** The local cloud could not start or has failed. The message says what to do. */
export class CloudError extends Error {
  override readonly name = "CloudError";
}
