// A rebind: chosen, planned, watched while it runs, and looked at later.
import { useRoute } from '../route';
import { ChooseRebind } from './rebind_choose';
import { PastRebind } from './rebind_past';

export function Rebind() {
  const { values } = useRoute();
  const transaction = values.get('transaction');
  return transaction ? <PastRebind key={transaction} id={transaction} /> : <ChooseRebind />;
}
