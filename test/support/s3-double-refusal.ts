/** What the double says no with: thrown by its parts, written as an S3 error document by its server. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message = code) {
    super(message);
    this.status = status;
    this.code = code;
  }

  toXml(): string {
    const content = `<Code>${this.code}</Code><Message>${this.message}</Message>`;
    return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${content}</Error>`;
  }
}
