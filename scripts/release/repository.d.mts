/** The URL of the repository on GitHub. */
export const repositoryUrl: string;
/** Its owner and name. */
export const repositoryName: string;
