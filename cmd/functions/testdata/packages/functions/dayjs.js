import dayjs from 'dayjs';
import utc from 'dayjs/plugin/utc';

dayjs.extend(utc);

export async function main(req, res) {
  res.send({ next: dayjs.utc('2024-02-28').add(1, 'day').format('YYYY-MM-DD dddd') });
}
