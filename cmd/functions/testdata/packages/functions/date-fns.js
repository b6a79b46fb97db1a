import { addMonths, differenceInDays, format } from 'date-fns';

export async function main(req, res) {
  const end = addMonths(new Date(2024, 0, 31), 1);
  res.send({ end: format(end, 'yyyy-MM-dd'), days: differenceInDays(end, new Date(2024, 0, 31)) });
}
