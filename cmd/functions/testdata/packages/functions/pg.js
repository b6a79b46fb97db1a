import pg from 'pg';

export async function main(req, res) {
  const client = new pg.Client({ host: '127.0.0.1', port: req.body.closed, user: 'u', database: 'd', password: 'p' });
  const error = await client.connect().catch(fault => fault);
  res.send({ code: error.code, literal: pg.escapeLiteral("it's") });
}
