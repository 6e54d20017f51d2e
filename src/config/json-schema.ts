import * as z from 'zod';
import { registrationSchema } from './schema.ts';

/** The JSON Schema of apisvc.yaml, for editors. The same schema gives the same text. */
export function jsonSchemaText(): string {
  // yaml-language-server supports draft 7 best. `input` leaves keys with a default optional.
  const { $schema, ...rest } = z.toJSONSchema(registrationSchema, { io: 'input', target: 'draft-7' });
  const head = { $schema, title: 'apisvc.yaml', description: 'An extension API server and its registration with the aggregation layer.' };
  return `${JSON.stringify({ ...head, ...rest }, undefined, 2)}\n`;
}
