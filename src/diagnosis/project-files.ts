/** The path of a file in certs/ of a project, for messages. */
export const fileIn = (directory: string, name: string): string => `${directory === '.' ? '' : `${directory}/`}certs/${name}`;
