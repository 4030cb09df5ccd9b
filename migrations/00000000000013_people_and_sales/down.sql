DROP TABLE lead_notes, leads, offers, document_passages, documents, contacts;
DROP FUNCTION titan_check_lead(), titan_check_offer(), titan_lead_edge(text, text), titan_offer_edge(text, text);
