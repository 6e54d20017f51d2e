/** What `register --only` selects, and the kinds of its objects. */
export const registerParts = { secrets: 'Secret', apiservices: 'APIService' } as const;
export type RegisterPart = keyof typeof registerParts;
export const registerPartNames = Object.keys(registerParts) as RegisterPart[];
