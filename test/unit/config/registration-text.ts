import { expect } from 'vitest';
import { ConfigurationError, parseRegistration } from '../../../src/config/load.ts';

export const file = 'apisvc.yaml';

export const valid = `apiVersion: apisvc.dev/v1alpha1
kind: Registration
metadata:
  name: example
  namespace: example
spec:
  apis:
    - group: example.com
      version: v1
  service:
    name: api
    port: 443
  server:
    image: example.com/server:v1
  certificates:
    lifetime: 90d
`;

export const failure = (text: string): ConfigurationError => {
  try {
    parseRegistration(text, file);
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error('the configuration is valid');
};

export const messageOf = (text: string): string => failure(text).message;

/** `valid` with one piece replaced by another. */
export const having = (piece: string, other: string): string => {
  expect(valid).toContain(piece);
  return valid.replace(piece, other);
};
