import { gql, request } from 'graphql-request';

export async function main(req, res) {
  res.send(await request(`${req.body.url}/graphql`, gql`query Hello($name: String) { hello(name: $name) }`, { name: 'x' }));
}
