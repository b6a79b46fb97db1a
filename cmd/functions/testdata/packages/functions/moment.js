import moment from 'moment';

export async function main(req, res) {
  res.send({ end: moment.utc('2024-02-10').endOf('month').format('YYYY-MM-DD'), ago: moment.duration(90, 'minutes').humanize() });
}
