import { v4, v5, validate } from 'uuid';

export async function main(req, res) {
  res.send({ named: v5('example.com', v5.DNS), random: validate(v4()) });
}
