import { registrationSchema } from './schema.ts';

const { metadata, spec } = registrationSchema.shape;
const api = spec.shape.apis.element.shape;

/** The values of apisvc.yaml that a person may be asked for one at a time, each with its rule of the schema. */
const fields = {
  name: metadata.shape.name,
  namespace: metadata.shape.namespace,
  service: spec.shape.service.shape.name,
  image: spec.shape.server.shape.image,
  group: api.group,
  version: api.version,
};

/** Says what is wrong with a value of apisvc.yaml, in the schema's words; undefined when it is valid. */
export const fieldFault = (field: keyof typeof fields, value: string): string | undefined =>
  fields[field].safeParse(value).error?.issues[0]?.message;
