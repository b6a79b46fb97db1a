import fetch from 'node-fetch';

export async function main(req, res) {
  const answer = await fetch(`${req.body.url}/json?q=a%20b`);
  res.send({ status: answer.status, data: await answer.json() });
}
