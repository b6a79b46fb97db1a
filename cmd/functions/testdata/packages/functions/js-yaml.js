import { dump, load } from 'js-yaml';

export async function main(req, res) {
  res.send({ value: load('a: [1, 2]\nb: {c: text}'), text: dump({ a: [1] }) });
}
