"""What people say to a program that answers questions, other than questions about documents.

`conversation` brings what a person types to the form that is listed here: in lower case, without
punctuation, contractions, articles and "please", and with one of several words that mean the same.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

UtteranceKind = Literal[
    "documents", "ask", "identity", "check", "greeting", "thanks", "agreement", "farewell"
]

UTTERANCES: Mapping[UtteranceKind, str] = MappingProxyType(
    {
        "documents": """
            what documents do you have | what documents do you know |
            what documents do you use | what documents do you search |
            what documents do you have access to | what documents do i have |
            what documents can you see | what documents can you read |
            what documents can you search | what documents can you access |
            what documents can i ask about | what documents have i added |
            what documents have i uploaded | what documents did i add |
            what documents did i upload | what documents are there |
            what documents are available | what documents are loaded |
            what documents are indexed | what documents are in library |
            what documents are in your library | what are your documents |
            what are documents in library | what is in library | what is in your library |
            what is in it library | what does library contain | what does your library contain |
            what do you have in library | what do you have in your library |
            how many documents do you have | how many documents do i have |
            how many documents are in library | how many documents are in your library |
            list documents | list all documents | list your documents |
            list all documents in library | list documents in library |
            list documents you have | list all documents you have | list of documents |
            show documents | show me documents | show me all documents |
            show me your documents | show me library | show me list of documents |
            give me list of documents | give me list of all documents | can you list documents |
            can you list all documents | can you list your documents |
            can you show me documents | can you tell me what documents you have |
            tell me what documents you have
        """,
        "ask": """
            what can i ask | what can i ask you | what can i ask about |
            what can i ask you about | what can i ask here | what can i do here |
            what can i do | what can i do with you | what questions can i ask |
            what questions can i ask you | what kind of questions can i ask |
            what kind of questions can i ask you | what kinds of questions can i ask |
            what sort of questions can i ask | what sorts of questions can i ask |
            what type of questions can i ask | what types of questions can i ask |
            what things can i ask | what questions can you answer |
            what questions do you answer | what kind of questions can you answer |
            what kinds of questions can you answer | what can you answer | what can you do |
            what can you do for me | what can you help with | what can you help me with |
            what can you tell me | what else can you do | what else can i ask |
            what are you able to do | what do you do | what do you know |
            what do you know about | what are your features | what are your capabilities |
            how can you help | how can you help me | how do you work | how can i use you |
            how do i use you | how do i use it chat | how do i start | how do i begin |
            how do i get started | how does it chat work | how does it bot work |
            how does it chatbot work | where do i start | can you help | can you help me |
            can i ask you question | can i ask question | i have question | i need help | help |
            help me | give me example | give me example question | give me example questions |
            give me examples | show me example questions | show me examples | suggest question |
            suggest questions
        """,
        "identity": """
            who are you | what are you | who or what are you | who am i talking to |
            what is your name | do you have name | who made you | who built you |
            who created you | introduce yourself | tell me about yourself |
            can you introduce yourself | are you bot | are you chatbot | are you robot |
            are you human | are you person | are you real | are you real person |
            are you machine | are you ai | are you language model | are you chatgpt |
            are you there | are you human or bot | are you bot or human
        """,
        "check": """
            is it true | is it really true | is it right | is it correct | is it accurate |
            is it so | really | are you sure | you sure | are you sure about it |
            are you certain | how sure are you | how do you know | how do you know it |
            can i trust it | can i trust you | can i believe it | who says so | says who |
            where did you get it | where did you get it from | where did you find it |
            where do you get it from | where is it from | what is your source | what is source |
            what are your sources | what are sources | can you prove it | can you verify it |
            prove it | it is wrong | it is not true | it is not right | it is not correct |
            it is incorrect | you are wrong | i do not believe it | i do not believe you
        """,
        "greeting": """
            hello | hallo | hi | hii | hey | hiya | howdy | greetings | hello hello |
            good morning | good afternoon | good evening | good day | morning | how are you |
            how are you doing | how are you today | how are you doing today | how is it going |
            how do you do | what is up | nice to meet you | pleased to meet you
        """,
        "thanks": """
            thanks | thank you | thankyou | thx | thanx | thnx | ty | tysm | cheers |
            thanks lot | thanks so much | thanks very much | thanks again | thanks million |
            thanks for help | thanks for your help | thanks for it | thanks for answer |
            thanks for information | thanks for info | thank you so much | thank you very much |
            thank you again | thank you for help | thank you for your help | thank you for it |
            thank you for answer | thank you for information | thank you very much for your help |
            thank you so much for your help | thanks lot for your help | many thanks |
            much appreciated | i appreciate it | it helps | it helps lot |
            it helped | it helped lot |
            it was helpful | it is helpful | it was very helpful | it is very helpful |
            very helpful | well done | good job | great job | good answer | great answer
        """,
        "agreement": """
            ok | okay | k | okey | alright | all right | great | perfect | excellent | awesome |
            wonderful | brilliant | cool | got it | i see | i understand | understood | good |
            very good | it is great | it is good | it is perfect | yes | yeah | yep | sure |
            no | nope | never mind | nevermind | no problem | sorry
        """,
        "farewell": """
            bye | bye bye | byebye | goodbye | good bye | bye for now | goodbye for now |
            good night | farewell | so long | see you | see you later | see you soon |
            see you tomorrow | see you then | see you around | see ya | cya | take care |
            have nice day | have good day | have great day | have nice evening |
            have good evening | have nice weekend | have good weekend | have good one |
            it is all | it is all for now | it will be all | i am done
        """,
    }
)
"""Utterances by their kind, separated by |."""

ONLY_FIRST = frozenset({"what is it", "how does it work"})
"""Questions about this program, unless an answer came before: then they are about the answer."""

ADDRESSEES = ("there", "footnote", "bot", "everyone", "all", "again")
"""Words that may follow a greeting, thanks or a farewell."""

SAME_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "which": "what",
        "should": "can",
        "could": "can",
        "may": "can",
        "we": "i",
        "us": "me",
        "our": "my",
        "this": "it",
        "that": "it",
        "document": "documents",
        "docs": "documents",
        "file": "documents",
        "files": "documents",
        "pdfs": "documents",
        "whats": "what is",
        "thats": "it is",
        "its": "it is",
        "hows": "how is",
        "isnt": "is not",
        "dont": "do not",
        "im": "i am",
        "ive": "i have",
        "u": "you",
        "ur": "your",
        "r": "are",
        "n": "and",
    }
)
"""Words, without apostrophes, and what is written for them in `UTTERANCES`."""

LEFT_OUT = frozenset("a an the some my just actually please pls plz kindly and".split())
"""Words that are not written in `UTTERANCES`."""
