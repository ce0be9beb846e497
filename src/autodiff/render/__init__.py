"""Writers: answers and explanations as text (`text`), as pages (`document`), as pictures (`graph`), and on a terminal (`terminal`)."""
