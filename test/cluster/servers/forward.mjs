import { connect, createServer } from 'node:net';

/**
 * Forwards every connection from one address and port to another. Usage: node forward.mjs FROM
 * FROM-PORT TO TO-PORT
 */

const [from, fromPort, to, toPort] = process.argv.slice(2);
createServer((client) => {
  const server = connect(Number(toPort), to);
  const end = () => [client, server].map((socket) => socket.destroy());
  for (const socket of [client, server]) socket.on('error', end).on('close', end);
  client.pipe(server).pipe(client);
}).listen(Number(fromPort), from);
