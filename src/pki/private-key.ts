import { inspect } from 'node:util';

const redacted = '[private key]';

/**
 * A private key in PEM (PKCS#8, LF line ends) that does not show itself: string conversion, JSON and `console.log`
 * give a placeholder. `reveal()` is the only way to the key, so every place that uses one can be found by name.
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
