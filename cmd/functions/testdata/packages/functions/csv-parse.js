import { parse } from 'csv-parse/sync';

export async function main(req, res) {
  res.send(parse('a,b\n1,"x,y"\n', { columns: true }));
}
