"""What people say and write around their data. ``<slot>`` is a value of `values`, ``[one|other]`` a choice."""

from __future__ import annotations

from typing import Final

_SAID: Final = """
okay [let me|i'll just] bring that up on the screen for you [it won't take a second|bear with me]
and is there anything else i can help you with today
i do apologise about the wait we have had [an unusually busy morning|a lot of calls about the outage]
so what i am going to do is raise a [request|ticket|note] for the [billing|technical|delivery] team
right i can see the last payment was [taken|returned|declined] on the <date> for <amount>
can you hear me all right the line is a little [quiet|crackly] on my side
the engineer will be with you between [eight and twelve|one and five] and he will ring before he sets off
that is [absolutely fine|no problem at all] and i have put it down as urgent
you will get [a letter|a text|an e-mail] within [three|five|ten] working days which explains the change
if you go into settings and then privacy you should find it about half way down the page
the plan comes with unlimited minutes and <count> gigabytes and you can leave it at any time
i completely understand and i would be [frustrated|annoyed] as well if it were my bill
may i place you on a brief hold while i speak to my [supervisor|colleague]
so the excess on the policy is <amount> and the no claims discount is protected
we do not share any of that with anybody outside the company unless the law says so
"""
_ASKED: Final = """
can i take your full name please|it's <person>|i have got <person> is that right
and what is the best number to reach you on|yeah it is <phone>|okay <phone>
could you confirm your date of birth for me|<birthday>|thank you
what's the long number across the front of the card|it is <card>|and the expiry on that
and the expiry date and the three digits on the back|<expiry> and <cvv>|lovely thank you
what is the sort code and account number|sort code <sort> and account <account>|perfect
can you give me the postcode and the first line of your address|<address>|and is that in <town>
which e-mail address do you have on file|<email>|let me read that back <email>
do you have the order number to hand|i think it's <order>|got it
and your national insurance number please|<nino>|thanks for that
could you give me your social security number|<ssn>|great
who am i speaking to|this is <given> <family>|hello <given> how are you today
"""
_ANSWERED: Final = """
yeah that's [fine|right|correct|great] thanks
hi i am ringing about [a bill|a letter|an order|a parcel] that [never arrived|i do not understand|came twice]
well the thing is i have been with you for [eleven|six|twenty] years and nobody told me about this
i [did try|have tried] the website but it kept asking me to log in again and again
my [wife|husband|daughter|landlord|neighbour] set it all up so i am not sure what the password was
we moved from <town> to <town> in [the spring|september] and the meter was read on the day we left
no no that is not what they told me when i rang last week i spoke to somebody called <given>
it was working on sunday and then on monday morning the red light came on and it has been like that since
can you not just [cancel it|send me another one|take it off the account]
um let me have a look i have got the paper here somewhere hang on
it says one or two working days but it has been nearly two weeks
i would rather not give that over the phone if it is all the same to you
so is that going to be in the same bill or do i get another one at the end of the month
okay and will it be the same driver because the last one left it in the rain behind the bins
all right well thank you for your help you have been very [kind|patient|clear]
"""
_TICKETS: Final = """
Customer <person> reports that the [app|router|invoice page] [crashes|stays blank] after the update to <version>.
Steps: 1. Sign in. 2. Open Settings > Billing. 3. Choose "Download". Expected: a PDF. Actual: a blank page.
Please change the e-mail address on my account from <email> to <email>.
My order <order> was supposed to arrive on <date>, and tracking has said "In transit" for <count> days.
I was charged <amount> twice on the card <card>, expiry <expiry>. Please refund one of them.
You can call me on <phone> any time after <time>, or write to <email>.
Delivery address: <address>
Escalated to tier 2; waiting for [logs|a screenshot|the vendor]. Next update by <time>.
Internal note: verified by date of birth <birthday> and postcode <postcode>.
The refund should go to <iban>, account holder <person>.
Agent <given> [closed|reopened|merged] the ticket: duplicate of #<count>.
Browser: Firefox <count>.0 on Windows 11, screen 1920x1080, plugin version <version>, build 20260<count>.
I reset the password three times and the link in the message always says that it has expired.
Workaround: clear the cache, remove the profile and sign in again; this helped <count> of the customers affected.
Hi team, any news on this? We have a release on <date> and it blocks the whole department.
Resolution: the certificate had lapsed. Renewed, deployed to [staging|production], monitored for <count> minutes.
I am locked out since this morning and payroll closes today, so please treat it as [urgent|priority one].
Requester works at <company> in <town>; contract number <order>, renewal in [March|June|October].
"""
_LOGS: Final = """
<moment> INFO  request id=<uuid> path=/v2/orders status=200 took=<count>ms
<moment> WARN  login failed for user=<email> from <ip> (attempt <count>)
<moment> DEBUG cache miss key=basket:<count> shard=7 size=1840
<moment> ERROR payment declined order=<order> amount=<count>.00 code=51
<moment> INFO  worker started pid=18<count> version=<version> host=web-<count>.internal
<moment> ERROR unhandled exception in handler: KeyError: 'token' at line <count>
  File "/srv/app/orders/views.py", line <count>, in checkout
Authorization: Bearer <token>
"""
_MAILS: Final = """
[Hi|Hello|Dear|Morning] <given>,
Thanks for [sending this over|your patience|the quick call yesterday]; the figures look right apart from the third row.
Could we move the meeting to <date> at <time>? The room on the second floor is free then.
I have copied <person> from <company>, who looks after the account in <town>.
The draft is attached. Section 4 changed most: it no longer assumes that the supplier pays for carriage.
As agreed, we will keep the price at <amount> until the end of the quarter and review it afterwards.
We are flying to <town> on <date> and should be back before the auditors come.
Kind regards
<person>
<company> | <address> | <phone>
The minutes are at <url>; please add what I have forgotten before Friday.
On <date> <person> <<email>> wrote:
> I think the simplest way is to leave the old contract alone and write a short addendum.
> Nobody has complained so far, which is either very good news or very bad news.
If you have any questions, my direct line is <phone>.
"""
_POSTS: Final = """
I've had this [phone|boiler|bike|laptop] for two years and the battery is still fine if you leave it at eighty percent.
Has anybody here moved from <company> to another provider? Was it worth the trouble?
lol same here, took them ages to answer and then they told me to switch it off and on again
The recipe says four hours, but I gave it six at a low heat and it fell off the bone.
Saw them live in <town> last summer, best concert of my life even though it rained all night.
Unpopular opinion: the second season is better than the first, the writing got braver and the jokes got darker.
@<given> did you ever find a fix? I am on version <version> and it still drops the connection every <count> minutes.
Try <url>, somebody wrote a long guide with pictures there.
PM me or mail <email>, I have a spare one in the garage that you can have for the postage.
My grandmother grew up near <town> and always said that the bread there tasted of the river.
Edit: solved, it was the cable. Leaving this here for whoever finds it next.
You do not need to buy the expensive one; any mat of that size does the job and lasts just as long.
Das Paket kam am <date> an, aber die Rechnung ging noch an die alte Adresse in <town>.
J'ai attendu presque trois semaines et personne ne m'a rappelée, alors j'ai tout annulé.
Llamé dos veces y nadie sabía nada del pedido <order>, así que escribí a <email>.
"""


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.strip().split("\n"))


AGENT: Final = _lines(_SAID)
CALLER: Final = _lines(_ANSWERED)
ASKED: Final = tuple(tuple(line.split("|")) for line in _lines(_ASKED))
"""The agent's question, the answer with the value in it, and what the agent says then."""
TICKET: Final = _lines(_TICKETS)
LOG: Final = _lines(_LOGS)
MAIL: Final = _lines(_MAILS)
FORUM: Final = _lines(_POSTS)
