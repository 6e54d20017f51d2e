import { describe, expect, it } from 'vitest';
import { jsonSchemaText } from '../../../src/config/json-schema.ts';

describe('the JSON Schema of apisvc.yaml', () => {
  it('describes keys, refuses unknown ones, and does not demand what has a default', () => {
    const schema = JSON.parse(jsonSchemaText());
    const { server, certificates } = schema.properties.spec.properties;
    expect(schema.required).toEqual(['apiVersion', 'kind', 'metadata', 'spec']);
    expect(schema.properties.spec.required).toEqual(['apis', 'service', 'server']);
    expect(server.additionalProperties).toBe(false);
    expect(server.properties.image.description).toBe('Container image of the server.');
    expect(certificates.properties.keyType).toMatchObject({ default: 'ecdsa-p256', enum: expect.arrayContaining(['rsa-2048']) });
  });
});
