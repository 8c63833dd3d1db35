// What a page's reader may do, so that no button is shown that would be refused (A10).
const ROLES = {
  approve: ["operations", "administrator"],
  answer: ["support"],
  cancel: ["support", "operations"],
  confirm_receipt: ["support", "administrator"],
  correct_waybill: ["operations", "administrator"],
  claim: ["support", "operations", "administrator"],
  decide: ["support", "administrator"],
  dispute: ["support", "operations"],
  pack: ["support", "auditor", "administrator"],
  intercept: ["support", "operations"],
  note: ["support", "operations", "administrator"],
  refund: ["support", "operations", "administrator"],
  reveal: ["support", "administrator"],
  take_in: ["operations", "administrator"],
};
const { role } = document.body.dataset;

/** Whether who looks at the page may do this. */
export const may = (what) => ROLES[what].includes(role);
