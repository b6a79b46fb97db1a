import { DateTime } from 'luxon';

export async function main(req, res) {
  const there = DateTime.fromISO('2024-07-01T12:00:00Z').setZone('America/Sao_Paulo');
  res.send({ there: there.toISO(), week: there.weekNumber });
}
