/** Sends a request to the server of the kubeconfig in a folder, with its client certificate. */
export function ask(folder: string, path: string, patch?: object): Promise<string>;
