import type { Charge, Entry } from '@/api/answers';
import { count, exactMoney, priceOf, sentence } from '@/parts/format';
import parts from '@/parts/parts.module.css';
import css from './logs.module.css';

const LABELS: Record<string, string> = {
  input: 'Input',
  cache_read: 'Read from cache',
  cache_write: 'Written to cache',
  cache_write_1h: 'Written to cache for an hour',
  audio_input: 'Audio in',
  output: 'Output',
  reasoning: 'Reasoning',
  audio_output: 'Audio out',
  image_input: 'Pictures in',
  image_output: 'Pictures out',
};

const label = ({ label: name }: Charge) => LABELS[name] ?? sentence(name.replaceAll('_', ' '));

/** Time is counted in millionths of a second. */
const quantity = ({ quantity: number, per }: Charge) =>
  per === 1_000_000 ? `${(number / per).toFixed(2)} s` : count(number);

/** What was booked, line by line, at the prices that held then. */
export function Price({ of }: { of: Entry }) {
  const weir = of.metadata.weir;
  const charges = weir?.charges ?? [];
  if (weir?.unpriced) return <>No price was known for this model, so that nothing was booked.</>;
  if (charges.length === 0) return <>{of.spend === 0 ? NOTHING : UNEXPLAINED}</>;
  return (
    <>
      <table className={css.sum}>
        <thead>
          <tr>
            <th scope="col">Part</th>
            <th scope="col">Quantity</th>
            <th scope="col">Price</th>
            <th scope="col">Cost</th>
          </tr>
        </thead>
        <tbody>
          {charges.map((charge) => (
            <tr key={charge.label}>
              <td>{label(charge)}</td>
              <td>{quantity(charge)}</td>
              <td>{priceOf(charge)}</td>
              <td>{exactMoney(charge.cost)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <td colSpan={3}>Booked</td>
            <td>{exactMoney(of.spend)}</td>
          </tr>
        </tfoot>
      </table>
      <p className={`${parts.small} ${css.note}`}>
        Lines are rounded each for itself, the sum once.
        {weir?.price_version && ` Price version ${weir.price_version}.`}
        {weir?.service_tier && weir.service_tier !== 'standard' && ` Service tier ${weir.service_tier}.`}
      </p>
    </>
  );
}

const NOTHING = 'Nothing was used, so that nothing was booked.';
const UNEXPLAINED = 'What it is made of was not kept with this entry.';
