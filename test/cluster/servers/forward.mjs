import { connect, createServer } from 'node:net';

/** Hands every connection to one address and port on to another: node forward.mjs FROM FROM-PORT TO TO-PORT. */

const [from, fromPort, to, toPort] = process.argv.slice(2);
createServer((client) => {
  const server = connect(Number(toPort), to);
  const end = () => [client, server].map((socket) => socket.destroy());
  for (const socket of [client, server]) socket.on('error', end).on('close', end);
  client.pipe(server).pipe(client);
}).listen(Number(fromPort), from);
