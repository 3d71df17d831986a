/** A refusal of one of the local services: `type` is the AWS exception's name, the message is in AWS's words. */
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

/** The template asks for something that cannot be run here. The message names the resource. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

/** The local cloud could not start or is damaged; the message says what to do. */
export class CloudError extends Error {
  override readonly name = "CloudError";
}
