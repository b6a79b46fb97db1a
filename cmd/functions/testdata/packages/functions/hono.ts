import { Hono } from 'hono';

const app = new Hono();
app.get('/hello/:name', c => c.json({ hello: c.req.param('name') }));

export async function main(req, res) {
  const answer = await app.request('/hello/world');
  res.send({ status: answer.status, data: await answer.json() });
}
