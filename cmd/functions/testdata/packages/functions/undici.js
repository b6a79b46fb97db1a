import { request } from 'undici';

export async function main(req, res) {
  const { statusCode, body } = await request(`${req.body.url}/json?q=a%20b`);
  res.send({ status: statusCode, data: await body.json() });
}
