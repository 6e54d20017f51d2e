import { inspect } from 'node:util';

const redacted = '[private key]';

/**
 * A private key in PEM (PKCS#8, LF line ends). String conversion, JSON and `console.log` show a
 * placeholder. Only `reveal()` returns the key, so that every use can be found by name.
 */
export class PrivateKey {
  readonly #pem: string;

  constructor(pem: string) {
    this.#pem = pem;
  }

  reveal(): string {
    return this.#pem;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}
