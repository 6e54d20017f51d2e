import { registrationSchema } from './schema.ts';

const { metadata, spec } = registrationSchema.shape;
const api = spec.shape.apis.element.shape;

/** The values of apisvc.yaml for which `init` prompts, each with its rule in the schema. */
const fields = {
  name: metadata.shape.name,
  namespace: metadata.shape.namespace,
  service: spec.shape.service.shape.name,
  image: spec.shape.server.shape.image,
  group: api.group,
  version: api.version,
};

/** Why a value is invalid, as the schema says; undefined when it is valid. */
export const fieldFault = (field: keyof typeof fields, value: string): string | undefined =>
  fields[field].safeParse(value).error?.issues[0]?.message;
