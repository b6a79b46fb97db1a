import got from 'got';

export async function main(req, res) {
  res.send(await got(`${req.body.url}/json`, { searchParams: { q: 'a b' }, retry: { limit: 0 } }).json());
}
